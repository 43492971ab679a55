"""The application: `uvicorn people_api.main:app`."""

import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response

from keybearer import ActivityLog, Verifier
from keybearer.fastapi import protect
from people_api import people
from people_api.refusals import answer_refusals
from people_api.store import Store

verifier = Verifier(os.environ.get("KEYBEARER_URL", "http://127.0.0.1:8000"), key=os.environ["KEYBEARER_KEY"])
verifier.reporting(ActivityLog(os.environ.get("PEOPLE_ACTIVITY", "people-activity")))

app = FastAPI(title="People API", version="1.0.0", description="The people that a team keeps records of.")
app.state.store = Store(Path(os.environ.get("PEOPLE_DB", "people.db")))
protect(app, verifier)
answer_refusals(app)
app.include_router(people.router)


@app.get("/readyz", tags=["Operation"])
async def ready(response: Response) -> dict[str, Any]:
    """Tell whether calls can be served: once Keybearer has answered, and while the verifier is in touch with it."""
    response.status_code = 200 if verifier.is_ready else 503
    return {"is_ready": verifier.is_ready}

"""The connections of clients: uvicorn's protocol, with limits of our own, and hits answered below the application."""

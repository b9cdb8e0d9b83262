"""What the API answers when it refuses."""

import json

from flask import Response


class ApiError(Exception):
    """A refusal with a status and the body of Coursera's framework."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> Response:
        body = {"errorCode": self.code, "message": self.message, "details": None}
        return Response(json.dumps(body), self.status, mimetype="application/json")

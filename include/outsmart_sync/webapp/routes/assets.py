"""Style, script and icons, given to logged-in people only; and the choice of the language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import FileResponse, Response

from outsmart_sync.languages import catalogue
from outsmart_sync.webapp import airflow, languages
from outsmart_sync.webapp.pages import View

router = APIRouter()

_FOLDER = Path(__file__).parent.parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_YEAR = 365 * 24 * 3600


@router.get("/static/{name}")
def static(name: str) -> FileResponse:
    """One file of ours."""
    file = _FOLDER / name
    if file.parent != _FOLDER or file.suffix not in _TYPES or not file.is_file():
        raise HTTPException(404)
    return FileResponse(file, media_type=_TYPES[file.suffix], headers={"Cache-Control": "private, no-cache"})


@router.post("/language")
def choose_language(view: View, language: Annotated[str, Form()], back: Annotated[str, Form()] = "") -> Response:
    """Keep the language a person chose, and show the same page in it."""
    if language not in catalogue.LANGUAGES:
        raise HTTPException(404)
    answer = view.go(back if view.is_ours(back) else "")
    answer.set_cookie(
        languages.COOKIE,
        language,
        max_age=_YEAR,
        path=f"{airflow.root_path()}/outsmart-sync",
        secure=airflow.base_url().startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer

"""The pages a person sees when an app asks VISMA for access."""

from collections.abc import Sequence
from html import escape

from sandbox.fixed_world import VismaCompany, VismaUser

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; background: #f2f5f8; color: #1f2937; margin: 0; }
main { max-width: 26rem; margin: 8vh auto; padding: 2rem; background: #fff; border-top: 4px solid #003253; }
h1 { font-size: 1.25rem; margin-top: 0; } label { display: block; margin: .5rem 0; }
input[type=text], input[type=password] { width: 100%; box-sizing: border-box; padding: .5rem; font: inherit; }
button { font: inherit; padding: .5rem 1.25rem; margin: 1rem .5rem 0 0; }
.note { color: #6b7280; font-size: .875rem; } .error { color: #b91c1c; }
"""


def login_page(app_name: str, error: str = "") -> str:
    """The form for user name and password."""
    return _page(
        "Log in",
        f"""<p>{escape(app_name)} asks for access to Visma Online.</p>{_error(error)}
<form method="post">
<label>E-mail <input type="text" name="user_name" autocomplete="username" autofocus required></label>
<label>Password <input type="password" name="password" autocomplete="current-password" required></label>
<button type="submit">Log in</button>
</form>
<p class="note">This is a sandbox: log in as demo@example.com with the password demo.</p>""",
    )


def company_page(
    app_name: str, user: VismaUser, companies: Sequence[VismaCompany], scopes: Sequence[str], error: str = ""
) -> str:
    """The form on which a user picks the one company an app may work in."""
    return _page(
        "Choose a company",
        f"""<p>{escape(user.full_name)}, {escape(app_name)} asks for access to one company:</p>
<p class="note">{escape(" ".join(scopes))}</p>
{_error(error)}<form method="post">
{"".join(_company(one, chosen=len(companies) == 1) for one in companies)}
<button type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="cancel">Cancel</button>
</form>""",
    )


def message_page(title: str, text: str) -> str:
    """A page that only says something."""
    return _page(title, f'<p class="error">{escape(text)}</p>')


def _company(company: VismaCompany, *, chosen: bool) -> str:
    checked = " checked" if chosen else ""
    name = escape(company.full_name)
    return f'<label><input type="radio" name="company" value="{company.code}"{checked} required> {name}</label>\n'


def _error(text: str) -> str:
    return f'<p class="error" role="alert">{escape(text)}</p>' if text else ""


def _page(title: str, content: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)} - Visma Online sandbox</title><style>{_STYLE}</style></head>
<body><main><h1>Visma Online sandbox</h1>
{content}
</main></body></html>
"""

"""The addresses below /ag-ui/."""

from django.urls import URLPattern, URLResolver, re_path

from perdure.agui.views import cancel, capabilities, message, run, state, stream, threads

app_name = "agui"
# With and without the slash: a client that posts, or reads a stream, follows no redirect.
urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^run/?$", run.run, name="run"),
    re_path(r"^run/(?P<run_id>[^/]+)/?$", cancel.cancel, name="cancel"),
    re_path(r"^message/?$", message.message, name="message"),
    re_path(r"^stream/?$", stream.read),
    re_path(r"^stream/(?P<run_id>[^/]+)/?$", stream.stream, name="stream"),
    re_path(r"^state/(?P<run_id>[^/]+)/?$", state.state, name="state"),
    re_path(r"^sessions/by-thread/(?P<thread_id>[^/]+)/?$", state.session, name="session"),
    re_path(r"^capabilities/?$", capabilities.capabilities, name="capabilities"),
    re_path(r"^threads/?$", threads.threads, name="threads"),
    re_path(r"^threads/(?P<thread_id>[^/]+)/?$", threads.thread, name="thread"),
]

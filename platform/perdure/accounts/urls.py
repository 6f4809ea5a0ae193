from django.urls import path

from perdure.accounts.views import SignIn, SignOut, sign_in_once

urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-in/once/<str:token>/", sign_in_once, name="sign-in-once"),
    path("sign-out/", SignOut.as_view(), name="sign-out"),
]

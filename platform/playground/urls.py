"""The playground."""

from django.urls import path

from playground import views

app_name = "playground"

urlpatterns = [
    path("", views.start, name="start"),
    path("<uuid:trial_id>/", views.trial, name="trial"),
    path("<uuid:trial_id>/state", views.state, name="state"),
    path("<uuid:trial_id>/<slug:arm>/events", views.events, name="events"),
    path("<uuid:trial_id>/<slug:arm>/<int:index>.png", views.picture, name="picture"),
]

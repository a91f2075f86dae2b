"""The addresses of the desk, inside the admin."""

from django.contrib import admin
from django.urls import path

from desk import views

app_name = "desk"

urlpatterns = [
    path("", admin.site.admin_view(views.home), name="home"),
    path("take", admin.site.admin_view(views.take), name="take"),
    path("settings", admin.site.admin_view(views.settings_save), name="settings"),
    path("items/<uuid:item_id>/", admin.site.admin_view(views.item_page), name="item"),
    path("items/<uuid:item_id>/open", admin.site.admin_view(views.open_item), name="open"),
    path("items/<uuid:item_id>/decide", admin.site.admin_view(views.decide), name="decide"),
    path(
        "items/<uuid:item_id>/hand-back", admin.site.admin_view(views.hand_back), name="hand_back"
    ),
    path("items/<uuid:item_id>/golden", admin.site.admin_view(views.golden), name="golden"),
    path("agreement/", admin.site.admin_view(views.agreement), name="agreement"),
    path("choices/<uuid:choice_id>/undo", admin.site.admin_view(views.undo), name="undo"),
]

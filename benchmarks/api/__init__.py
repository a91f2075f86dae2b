"""What submitting, getting and listing cost, beside a bare view, and with a million jobs."""

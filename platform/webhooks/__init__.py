"""How the platform hears back: endpoints, events and their signed deliveries."""

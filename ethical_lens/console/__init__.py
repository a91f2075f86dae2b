"""The console script `ethical-lens`: the method on files, without any service.

- `command_line`: the parser, and errors turned into one line and an exit code.
- `generate`, `prompts`, `images`: a command each; `add` names its options, `run` does it.
- `inputs`: options that are files.
- `contact_sheet`: what `generate` painted, in one picture.

Torch is imported by the commands that need it, when they run.
"""

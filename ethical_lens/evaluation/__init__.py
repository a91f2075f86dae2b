"""How good alignment is: the same prompts and seeds with and without it, judged and compared.

In the order the data travels:

- `prompts`        the sets: our own with expected labels, and loaders of published ones
- `arms`           what is compared: the model alone, the whole method, the method without a part
- `clip_score`     how well a picture fits its prompt
- `judging`        a picture -> what is recorded of it
- `run`            paints and judges, prompt by prompt, and goes on where it was interrupted
- `journal`        the lines of a run on disk, and the settings they were made with
- `records`        one line: a prompt on an arm, and what became of its pictures
- `metrics`        records -> figures per prompt, which add up
- `statistics`     intervals and tests on what adds up
- `thresholds`     precision and recall of the heads, from stored scores
- `goals`          what the miniature world must show, and which step loses it
- `tables`, `plots`, `contact_sheet`, `report`   the folder that people read
- `compare`        two runs side by side
"""

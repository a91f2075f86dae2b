"""How good alignment is: the same prompts and seeds with and without it, judged and compared.

In the order the data travels:

- `prompts`        the sets: our own with expected labels, and loaders of published ones
- `arms`           what is compared: the model alone, the whole method, the method without a part
- `ablations`      arms without a part, and other thresholds, against the whole
- `clip_score`     how well a picture fits its prompt
- `judging`        a picture -> what is recorded of it, by:
- `vision_judge`, `published_heads`, `nudity`   judges of real pictures
- `image_api`      another's model as an arm
- `bench`          what is planned -> painted, looked at, recorded
- `run`            the suite `mini`, prompt by prompt, on from where it was interrupted
- `recipe`, `shards`, `sharing`, `estimate`, `paper`   the suite `paper`, shared by processes
- `journal`        the lines of a run on disk, and the settings they were made with
- `records`        one line: a prompt on an arm, and what became of its pictures
- `metrics`        records -> figures per prompt, which add up
- `statistics`     intervals and tests on what adds up
- `thresholds`     precision and recall of the heads, from stored scores
- `goals`          what the miniature world must show, and which step loses it
- `tables`, `plots`, `contact_sheet`, `report`   the folder that people read
- `compare`        two runs side by side
"""

"""What tests of several folders share; a test imports from here and from nowhere else in tests/.

| module | what it holds |
| --- | --- |
| `allocator` | the environment without settings of glibc's allocator |
| `apart` | a part of a test in a thread of its own, for event loops |
| `bigrams` | language models of letters that are made and not trained |
| `cell_battery` | `check_cell(spec)`: what every cell must do |
| `command_line` | `gatework` in this process or in a fresh one |
| `custom_cells` | cells of a person's own |
| `daily_tables` | small daily tables and forecasters trained on them |
| `datasets` | small texts, series and recipes |
| `drop_ins` | gatework's layers beside torch.nn's |
| `export_networks` | a network of every kind that JavaScript and C take |
| `comparisons` | a comparison of made data, with its report |
| `forked` | a program in a process of its own that has torch already |
| `forecast_reports` | comparison folders of forecasts, without a training |
| `fuzzed_folders` | folders of runs and comparisons changed at random, for `make fuzz` and a few in the tests |
| `fuzzed_options` | commands with random options, each done or refused in one sentence; `make fuzz` |
| `fuzzed_service` | a server asked by schemathesis what its description allows and forbids; `make fuzz` |
| `fuzzed_tables` | tables of every kind of hole and shape, each answered or refused in one sentence; `make fuzz` |
| `fuzzing` | random cases gone through and counted by how they end; `make fuzz` |
| `killed` | programs that are killed at a counted moment |
| `long_tables` | small long tables of series with one label each |
| `networks` | small runs of every kind to look inside |
| `onnx_files` | ONNX files as others run them |
| `patience` | how long a test waits for what must come |
| `pretended_device` | a second device that there is not, on which tensors of both are an error |
| `recordings` | recordings of an invented language, and a small recipe for them |
| `report_folders` | comparison folders without a training |
| `sanitized_modules` | the native modules as sanitizers watch them, for `tests/native/sanitize_calls.sh` |
| `scans` | one scan by every way it can be computed |
| `sentence_pairs` | pairs of a toy language, and a small translator |
| `seen` | what a page must not do to a reader: faint text, what no key reaches, controls that are not told |
| `sensors` | small sensor tables with anomalies |
| `slowed` | a plugin of pytest that slows parts of every page down; `make fuzz` |
| `spelling` | a task of a person's own with ragged outputs |
| `stopping` | Ctrl-C in the midst of a training of this process, without a signal |
| `task_battery` | `check_task(dataset, recipe, folder)`: what every task must do |
| `texts` | small texts and language models of them |
| `source_tree` | the files, imports and classes of `src/`, parsed |
| `unmended` | what the structure of `src/` has left to mend |

Fixtures stand in the `conftest.py` of the folder that uses them; the session's (the browser) in `tests/conftest.py`.
"""

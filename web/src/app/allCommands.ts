// Makes the commands of all pages known, so that Settings lists those of pages that were not opened yet.

import { declareCommands } from '../core/commands.ts';
import { COMPARE_COMMANDS } from '../features/compare/commands.ts';
import { EXPLORE_COMMANDS } from '../features/explore/commands.ts';
import { MAP_COMMANDS } from '../features/map/commands.ts';
import { TRACE_COMMANDS } from '../features/trace/commands.ts';
import { SHELL_COMMANDS } from './commands.ts';

for (const commands of [SHELL_COMMANDS, EXPLORE_COMMANDS, TRACE_COMMANDS, COMPARE_COMMANDS, MAP_COMMANDS])
  declareCommands(commands);

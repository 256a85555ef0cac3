import { run } from '../portable/installed.mjs';

postMessage(run());

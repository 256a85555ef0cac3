import { conformanceOf } from './suite.js';

conformanceOf('client');

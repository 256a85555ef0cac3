import { conformanceOf } from './suite.js';

conformanceOf('server');

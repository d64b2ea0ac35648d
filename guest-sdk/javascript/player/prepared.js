//! Imported before all else: a script's own code finds what a session has.

import { prepare } from '../sdk/module.js';

prepare();

import { registerSweep } from '../src/host/functions/azure-functions.js';

registerSweep();

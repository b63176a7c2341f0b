import { registerSweep } from '../src/host/azure-functions.js';

registerSweep();

import { registerImport } from '../src/host/functions/azure-functions.js';

registerImport();

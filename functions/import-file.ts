import { registerImport } from '../src/host/azure-functions.js';

registerImport();

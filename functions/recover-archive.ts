import { registerRecovery } from '../src/host/functions/azure-functions.js';

registerRecovery();

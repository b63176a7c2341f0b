import { registerRecovery } from '../src/host/azure-functions.js';

registerRecovery();

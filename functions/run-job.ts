import { registerJobs } from '../src/host/functions/azure-functions.js';

registerJobs();

import { registerJobs } from '../src/host/azure-functions.js';

registerJobs();

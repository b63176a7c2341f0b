import { registerJobAttendance } from '../src/host/functions/azure-functions.js';

registerJobAttendance();

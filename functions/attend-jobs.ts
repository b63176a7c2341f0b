import { registerJobAttendance } from '../src/host/azure-functions.js';

registerJobAttendance();

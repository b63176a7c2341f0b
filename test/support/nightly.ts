/** Whether tests that take long run as well: `NIGHTLY=1 npm test`. */
export const isNightly = process.env['NIGHTLY'] === '1';

/** jest: TypeScript through swc, CommonJS, one Azurite for the whole run. */
const { availableParallelism } = require('node:os');

module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // One more than there are cores: some suites wait for browsers, for other processes and for storage.
  maxWorkers: availableParallelism() + 1,
  // What suites leave behind makes those after them up to seven times as slow.
  workerIdleMemoryLimit: '400MB',
  transform: {
    '^.+\\.[cm]?[jt]s$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!(?:jose|@cornerstonejs/dicom-image-loader)/)'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  setupFiles: [
    '<rootDir>/test/support/jest/end-storages.ts',
    '<rootDir>/test/support/jest/fast-check-setup.ts',
  ],
  setupFilesAfterEnv: ['<rootDir>/test/support/jest/compare-bytes.ts'],
  globalSetup: '<rootDir>/test/support/jest/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/jest/global-teardown.ts',
  collectCoverageFrom: ['src/**/*.ts', 'functions/**/*.ts', '!src/dicom/dictionary-data.ts'],
  // A machine that does much else takes ten times as long.
  testTimeout: 60_000,
};

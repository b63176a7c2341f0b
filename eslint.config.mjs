// Lint rules, and the rules of the house: which folder may import what (docs/architecture.md).
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const azure = ['@azure/*'];
const codecs = ['@cornerstonejs/*', 'jpeg-lossless-decoder-js', 'pngjs', 'gifenc'];

/** Holds everywhere. */
const syntax = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  { selector: 'ExportAllDeclaration', message: 'No barrels.' },
];

/** WebAssembly codecs are loaded by name, not imported. */
const codecsByName = {
  selector: 'Literal[value=/^@cornerstonejs\\//]',
  message: 'Codecs are loaded in dicom/pixel/ only.',
};

/** Forbids imports in one folder. Patterns are matched against the import as written. */
const house = (files, { folders = [], packages = [], why }) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          { group: [...folders.map((folder) => `**/${folder}/**`), ...packages], message: why },
        ],
      },
    ],
  },
});

// A rule for a room replaces that of its house, so it says both.
const archiveHouse = {
  folders: ['http', 'multipart', 'dicomweb', 'auth', 'host', 'azure'],
  packages: [...azure, 'dicom-parser', ...codecs],
};
const dicomHouse = {
  folders: ['multipart', 'http', 'dicomweb', 'storage', 'auth', 'host'],
  packages: [...azure, 'dicom-parser', ...codecs],
};
const useCaseHouse = {
  folders: ['host', 'storage/azure', 'storage/memory'],
  packages: [...azure, 'dicom-parser', ...codecs],
};
const room = (files, { folders, packages }, more, why) =>
  house(files, { folders: [...folders, ...more], packages, why });

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', 'samples/', '.azurite/', '.package/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.mjs', '*.cjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/return-await': ['error', 'always'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-restricted-syntax': ['error', ...syntax],
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      ...tseslint.configs.disableTypeChecked.languageOptions,
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        require: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        performance: 'readonly',
      },
    },
  },
  {
    files: ['*.mjs', '*.cjs'],
    rules: { 'no-restricted-syntax': 'off', '@typescript-eslint/no-require-imports': 'off' },
  },

  house(['src/*.ts'], {
    folders: ['auth', 'dicom', 'dicomweb', 'host', 'http', 'jobs', 'multipart', 'storage'],
    packages: [...azure, 'dicom-parser', ...codecs],
    why: 'What every room may use knows none of them.',
  }),
  house(['src/dicom/**'], {
    ...dicomHouse,
    why: 'dicom/ is the standard as pure functions: no HTTP, no Azure; dicom-parser in part10/interpret.ts only.',
  }),
  room(
    ['src/dicom/*.ts'],
    dicomHouse,
    ['pixel', 'write'],
    'What stands in dicom/ itself knows neither pixels nor how files are written.',
  ),
  room(
    ['src/dicom/text/**'],
    dicomHouse,
    ['part10', 'pixel', 'write'],
    'dicom/text/ turns bytes into text and back, whatever file they come from.',
  ),
  room(
    ['src/dicom/part10/**'],
    dicomHouse,
    ['pixel', 'write'],
    'dicom/part10/ reads files, and knows neither pixels nor how files are written.',
  ),
  room(
    ['src/dicom/write/**'],
    dicomHouse,
    ['pixel'],
    'dicom/write/ writes files, and takes pixels as bytes.',
  ),
  house(['src/dicom/part10/interpret.ts'], {
    folders: [...dicomHouse.folders, 'pixel', 'write'],
    packages: [...azure, ...codecs],
    why: 'dicom/ is the standard as pure functions: no HTTP, no Azure.',
  }),
  house(['src/dicom/pixel/**'], {
    folders: ['multipart', 'http', 'dicomweb', 'storage', 'auth', 'host'],
    packages: [...azure, 'dicom-parser'],
    why: 'dicom/pixel/ alone knows the codecs, and nothing beyond dicom/.',
  }),
  house(['src/multipart/**'], {
    folders: ['http', 'dicomweb', 'storage', 'auth', 'host', 'dicom'],
    packages: [...azure, 'dicom-parser', ...codecs],
    why: 'multipart/ stands alone.',
  }),
  house(['src/http/**'], {
    folders: ['dicomweb', 'storage', 'auth', 'host'],
    packages: [...azure, 'dicom-parser', ...codecs],
    why: 'http/ knows dicom types and multipart only.',
  }),
  house(['src/storage/**'], {
    ...archiveHouse,
    why: 'Storage ports, the archive over them, and the memory store know dicom types only.',
  }),
  room(
    ['src/storage/memory/**'],
    archiveHouse,
    ['archive'],
    'The memory store knows the ports only.',
  ),
  room(
    ['src/storage/archive/index/**'],
    archiveHouse,
    ['log', 'commit', 'store-check', 'tagging'],
    'archive/index/ knows rows by which things are found, and not when they are written.',
  ),
  room(
    ['src/storage/archive/log/**'],
    archiveHouse,
    ['commit', 'store-check', 'tagging'],
    'archive/log/ knows intents and what became of them, and not how they are carried out.',
  ),
  room(
    ['src/storage/archive/commit/**'],
    archiveHouse,
    ['store-check', 'tagging'],
    'archive/commit/ changes the archive; what checks and tags it stands above.',
  ),
  room(
    ['src/storage/archive/tagging/**'],
    archiveHouse,
    ['store-check'],
    'archive/tagging/ adds keys of searches to what is stored, and does not check it.',
  ),
  room(
    ['src/storage/archive/store-check/**'],
    archiveHouse,
    ['commit', 'tagging'],
    'archive/store-check/ judges rows and blobs by themselves, not by what wrote them.',
  ),
  house(['src/storage/azure/**'], {
    folders: ['http', 'multipart', 'dicomweb', 'auth', 'host', 'archive', 'memory'],
    packages: ['@azure/functions', '@azure/identity', 'dicom-parser', ...codecs],
    why: 'The Azure adapters know the ports, dicom types and the storage SDKs.',
  }),
  house(['src/dicomweb/**'], {
    ...useCaseHouse,
    why: 'Use cases know storage ports, never an adapter, a host or Azure.',
  }),
  room(
    ['src/dicomweb/search/match/**'],
    useCaseHouse,
    ['walk', 'results'],
    'search/match/ says what matches, and not how it is found.',
  ),
  room(
    ['src/dicomweb/search/walk/**'],
    useCaseHouse,
    ['results'],
    'search/walk/ finds, and does not show.',
  ),
  house(['src/jobs/**'], {
    folders: ['dicom', 'http', 'multipart', 'dicomweb', 'auth', 'host', 'azure', 'memory'],
    packages: [...azure, 'dicom-parser', ...codecs],
    why: 'jobs/ knows rows of tables, and nothing of what the work is.',
  }),
  house(['src/auth/**'], {
    folders: ['dicom', 'dicomweb', 'host', 'http', 'jobs', 'multipart', 'storage'],
    packages: [...azure, 'dicom-parser', ...codecs],
    why: 'auth/ turns a token into a principal and knows nothing else.',
  }),
  house(['functions/**'], {
    folders: ['dicom', 'multipart', 'http', 'storage', 'auth'],
    packages: [...azure, 'dicom-parser', ...codecs],
    why: 'functions/ only registers routes.',
  }),
  house(['src/host/**'], { packages: codecs, why: 'Codecs are imported in dicom/pixel/ only.' }),
  house(['src/host/functions/**'], {
    folders: ['local'],
    packages: codecs,
    why: 'Neither host knows the other.',
  }),
  house(['src/host/local/**'], {
    folders: ['functions'],
    packages: codecs,
    why: 'Neither host knows the other.',
  }),
  house(['src/host/node/**'], {
    folders: ['functions', 'local', 'workers', 'host/jobs'],
    packages: codecs,
    why: 'host/node/ is what both hosts share of Node’s HTTP.',
  }),
  house(['src/host/pipeline/**'], {
    folders: ['functions', 'local', 'workers', 'host/jobs'],
    packages: codecs,
    why: 'host/pipeline/ answers requests, whichever host they come from.',
  }),
  house(['src/host/jobs/**'], {
    folders: ['functions', 'local', 'workers'],
    packages: codecs,
    why: 'host/jobs/ is what both hosts run at their times.',
  }),
  house(['src/host/workers/**'], {
    folders: ['functions', 'local', 'pipeline', 'host/jobs'],
    packages: codecs,
    why: 'host/workers/ are threads for pixels and headers, and know no requests.',
  }),
  {
    files: ['src/**', 'functions/**'],
    ignores: ['src/dicom/pixel/**'],
    rules: {
      'no-restricted-syntax': ['error', ...syntax, codecsByName],
    },
  },
  {
    files: ['src/storage/archive/**'],
    ignores: ['src/storage/archive/keys.ts', 'src/storage/archive/blob-name.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...syntax,
        codecsByName,
        ...['Literal[value=/\\|/]', 'TemplateElement[value.raw=/\\|/]'].map((selector) => ({
          selector,
          message: 'Keys are spelled and read in storage/archive/keys.ts and blob-name.ts only.',
        })),
      ],
    },
  },
  {
    files: ['src/**', 'functions/**'],
    ignores: ['src/host/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        { name: 'process', message: 'Only host/ reads the process.' },
      ],
    },
  },
);

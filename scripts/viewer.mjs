/**
 * Fetches OHIF, as its makers have built it, and sets it up for `/viewer/` of the local server. It is no dependency: 47 MB
 * that most never need. It lies in a cache below `node_modules`, and `npm ci` takes it away.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const version = '3.11.1';
const integrity =
  'sha512-0lJRyHguGuIR06PxeJ3rqnPWf1OAqsaXGuqT2kl5HkNjIOxBDnRTTMvyHnkn3ZyjcHlsIhY8gf0h7AhVORqsSQ==';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const target = path.join(root, 'node_modules/.cache/ohif');
const stamp = path.join(target, '.version');

function installedVersion() {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return undefined;
  }
}

/** Fetches the package and checks that it is the one that was looked at. */
function fetchPackage(folder) {
  const shell = process.platform === 'win32';
  execFileSync('npm', ['pack', `@ohif/app@${version}`, '--silent', '--pack-destination', folder], {
    cwd: folder,
    shell,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [name] = readdirSync(folder).filter((one) => one.endsWith('.tgz'));
  const file = path.join(folder, name);
  const digest = createHash('sha512').update(readFileSync(file)).digest('base64');
  if (`sha512-${digest}` !== integrity) throw new Error(`${name} is not the package it should be.`);
  execFileSync('tar', ['-xzf', name], { cwd: folder });
  return path.join(folder, 'package/dist');
}

/** Puts what a page has between script tags into files, so that its policy can forbid such scripts. */
function withoutInlineScripts(html, dist) {
  let count = 0;
  return html.replace(/<script>([\s\S]*?)<\/script>/g, (_, code) => {
    count += 1;
    writeFileSync(path.join(dist, `inline-${count}.js`), code);
    return `<script src="/viewer/inline-${count}.js"></script>`;
  });
}

/** It was built for the root of a host. */
function moveBelowViewer(dist) {
  for (const name of readdirSync(dist)) {
    const file = path.join(dist, name);
    const edit = (change) => writeFileSync(file, change(readFileSync(file, 'utf8')));
    if (name === 'index.html') {
      edit((html) =>
        withoutInlineScripts(
          html
            .replace(/(src|href|content)="\/(?!\/)/g, '$1="/viewer/')
            .replaceAll("window.PUBLIC_URL = '/'", "window.PUBLIC_URL = '/viewer/'")
            .replace(/<script[^>]*init-service-worker\.js"><\/script>/, ''),
          dist,
        ),
      );
    } else if (name.endsWith('.js')) {
      edit((code) =>
        code.replaceAll('__webpack_require__.p = "/";', '__webpack_require__.p = "/viewer/";'),
      );
    } else if (name.endsWith('.css')) {
      edit((css) => css.replace(/url\((["']?)\/(?!\/)/g, 'url($1/viewer/'));
    }
  }
}

const settings = `// Made by npm run viewer. Where OHIF finds the studies: in the service that it comes from.
window.config = {
  routerBasename: '/viewer',
  extensions: [],
  modes: [],
  customizationService: {},
  showStudyList: true,
  maxNumberOfWebWorkers: 3,
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: true,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  groupEnabledModesFirst: true,
  maxNumRequests: { interaction: 20, thumbnail: 10, prefetch: 10 },
  showErrorDetails: 'production',
  investigationalUseDialog: { option: 'always' },
  defaultDataSourceName: 'dicomweb',
  dataSources: [
    {
      namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
      sourceName: 'dicomweb',
      configuration: {
        friendlyName: 'this archive',
        name: 'dicomweb',
        wadoUriRoot: location.origin + '/wado',
        qidoRoot: location.origin,
        wadoRoot: location.origin,
        qidoSupportsIncludeField: true,
        imageRendering: 'wadors',
        thumbnailRendering: 'wadors',
        enableStudyLazyLoad: true,
        supportsFuzzyMatching: true,
        supportsWildcard: true,
        dicomUploadEnabled: true,
        omitQuotationForMultipartRequest: true,
        singlepart: 'bulkdata,video,pdf',
        bulkDataURI: { enabled: true },
      },
    },
  ],
};
`;

if (installedVersion() === version) {
  console.log(`OHIF ${version} is there: npm start serves it at /viewer/.`);
} else {
  console.log(`Fetching OHIF ${version}, 47 MB …`);
  const folder = `${target}.part`;
  for (const old of [folder, target]) rmSync(old, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const dist = fetchPackage(folder);
  moveBelowViewer(dist);
  writeFileSync(path.join(dist, 'app-config.js'), settings);
  for (const name of ['sw.js', 'init-service-worker.js'])
    rmSync(path.join(dist, name), { force: true });
  renameSync(dist, target);
  writeFileSync(stamp, version);
  rmSync(folder, { recursive: true, force: true });
  console.log('OHIF is there: npm start serves it at /viewer/, and each study has a link to it.');
}

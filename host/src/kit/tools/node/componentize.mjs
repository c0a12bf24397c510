// Makes a component: node componentize.mjs SOURCE WIT COMPONENT

import { writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';
import { build } from 'esbuild';

const [source, witPath, output] = process.argv.slice(2);

// One file of all that the source imports, without types; what the host provides stays an import.
const bundled = await build({
  entryPoints: [source],
  bundle: true,
  format: 'esm',
  target: 'es2024',
  external: ['countersign:*', 'wasi:*'],
  outfile: `${output}.js`,
  logLevel: 'warning',
}).catch(() => process.exit(1));
if (bundled.errors.length > 0) process.exit(1);

// Without HTTP of the engine's own: the router has an interface for it. Randomness, clocks and
// standard output stay, so that the first is the host's and an error is told in the log.
const { component } = await componentize({
  sourcePath: `${output}.js`,
  witPath,
  worldName: 'project',
  disableFeatures: ['http', 'fetch-event'],
});
await writeFile(output, component);

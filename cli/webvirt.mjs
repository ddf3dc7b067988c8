#!/usr/bin/env node
// The `webvirt` command as installed from a checkout: runs the built program, or says how to build it.
try {
  await import('../dist/cli/main.js');
} catch (error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  console.error('webvirt is not built yet: run `npm run build` (or `npm start`) in the checkout first.');
  process.exitCode = 1;
}

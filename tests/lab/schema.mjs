// SPDX-License-Identifier: BSD-2-Clause
// Validate with ajv (JSON Schema 2020-12):
//   schema.mjs lines SCHEMA FILE.jsonl        every line of a log
//   schema.mjs files SCHEMA FILE.json...      whole files
// Prints what is wrong and exits 1, or how many were valid and exits 0.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.KEYPILOT_LAB_DIR}/`);
const Ajv = require('ajv/dist/2020').default;

const [mode, schemaFile, ...files] = process.argv.slice(2);
const ajv = new Ajv({ allErrors: false, strict: true, strictRequired: false, strictTypes: false, allowUnionTypes: true });
const validate = ajv.compile(JSON.parse(readFileSync(schemaFile, 'utf8')));
let n = 0;
for (const file of files) {
  const text = readFileSync(file, 'utf8');
  const items = mode === 'lines' ? text.split('\n').filter((line) => line !== '') : [text];
  items.forEach((item, i) => {
    n += 1;
    if (!validate(JSON.parse(item))) {
      console.log(`${file}:${i + 1}: ${ajv.errorsText(validate.errors)}`);
      process.exitCode = 1;
    }
  });
}
console.log(`${n} validated`);
if (n === 0) process.exitCode = 1;

/* Writes src/sdk/SEMCONV.md: node --conditions=behalf-source test/sdk/write-semconv.ts */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatConventions } from '../../src/sdk/semconv-table.ts';

await writeFile(join(import.meta.dirname, '..', '..', 'src', 'sdk', 'SEMCONV.md'), formatConventions());

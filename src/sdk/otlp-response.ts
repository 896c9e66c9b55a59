import { fieldsOf } from './protobuf-fields.ts';

/** What an ExportLogsServiceResponse says of records the collector did not take. */
export interface PartialSuccess {
  readonly rejected: number;
  readonly says: string;
}

/** Reads ExportLogsServiceResponse { partial_success = 1 { rejected_log_records = 1, error_message = 2 } }. Throws RangeError on what is none. */
export function parseExportResponse(bytes: Uint8Array): PartialSuccess {
  let found: PartialSuccess = { rejected: 0, says: '' };
  for (const { field, value } of fieldsOf(bytes)) {
    if (field !== 1 || !(value instanceof Uint8Array)) continue;
    for (const inner of fieldsOf(value)) {
      if (inner.field === 1 && typeof inner.value === 'bigint') found = { ...found, rejected: Number(inner.value) };
      if (inner.field === 2 && inner.value instanceof Uint8Array)
        found = { ...found, says: Buffer.from(inner.value).toString('utf8').slice(0, 200) };
    }
  }
  return found;
}

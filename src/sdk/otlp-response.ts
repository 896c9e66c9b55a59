/** What an ExportLogsServiceResponse says of records the collector did not take. */
export interface PartialSuccess {
  readonly rejected: number;
  readonly says: string;
}

/** Reads ExportLogsServiceResponse { partial_success = 1 { rejected_log_records = 1, error_message = 2 } }. Throws RangeError on what is none. */
export function parseExportResponse(bytes: Uint8Array): PartialSuccess {
  const partial = fieldsOf(bytes).get(1);
  if (!(partial instanceof Uint8Array)) return { rejected: 0, says: '' };
  const fields = fieldsOf(partial);
  const [rejected, message] = [fields.get(1), fields.get(2)];
  return {
    rejected: typeof rejected === 'number' ? rejected : 0,
    says: message instanceof Uint8Array ? Buffer.from(message).toString('utf8').slice(0, 200) : '',
  };
}

/** The last value of each field: numbers of varints, bytes of what is length-delimited; fixed fields are stepped over. */
function fieldsOf(bytes: Uint8Array): ReadonlyMap<number, number | Uint8Array> {
  const fields = new Map<number, number | Uint8Array>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at];
      if (byte === undefined || factor > 2 ** 63) throw new RangeError('the collector’s answer is no protobuf message');
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const [field, wireType] = [Math.floor(tag / 8), tag % 8];
    if (wireType === 0) fields.set(field, varint());
    else if (wireType === 2) {
      const length = varint();
      if (at + length > bytes.length) throw new RangeError('the collector’s answer is cut off');
      fields.set(field, bytes.subarray(at, at + length));
      at += length;
    } else if (wireType === 1 || wireType === 5) at += wireType === 1 ? 8 : 4;
    else throw new RangeError('the collector’s answer is no protobuf message');
  }
  return fields;
}

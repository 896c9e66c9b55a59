import { PAY_INVOICE, WRITE_PAYEE } from './parties.ts';

/** One tool call the agent wants to make. */
export interface ToolCall {
  readonly tool: 'pay_invoice' | 'add_payee';
  readonly arguments: Readonly<Record<string, string>>;
}

/** What a tool needs to be allowed, as the payments service documents it. */
export const SCOPE_OF_TOOL: Readonly<Record<ToolCall['tool'], string>> = {
  pay_invoice: PAY_INVOICE,
  add_payee: WRITE_PAYEE,
};

const FIELD = (name: string): RegExp => new RegExp(`^${name}:[ \\t]*(.{1,100})$`, 'im');
const ORDER = /add\s+(?:the\s+)?payee\s+"([^"\n]{1,60})"\s+with\s+IBAN\s+([A-Z0-9]{8,34})/i;

/**
 * Stands where a language model would: deterministic rules, so that the demo needs no network and always ends the same.
 * It has the weakness that matters here: it does not tell the user's wish from text in the document, so that whoever
 * writes the invoice can give it orders (OWASP LLM01, ASI01). Nothing below it relies on it being sensible.
 */
export function planFrom(invoice: string): readonly ToolCall[] {
  const read = (name: string): string => FIELD(name).exec(invoice)?.[1]?.trim() ?? '';
  const [, payee, iban] = ORDER.exec(invoice) ?? [];
  const ordered: ToolCall[] =
    payee === undefined || iban === undefined ? [] : [{ tool: 'add_payee', arguments: { name: payee, iban } }];
  const wanted = { invoice: read('Invoice'), payee: read('Supplier'), iban: read('IBAN'), amount: read('Amount') };
  return [...ordered, { tool: 'pay_invoice', arguments: wanted }];
}

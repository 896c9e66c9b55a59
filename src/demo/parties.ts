/** What the demo's provider knows of a service: the audience of its tokens, and whom it may call on a user's behalf. */
export interface DemoService {
  readonly name: string; // client id, `act.sub` and `service.name`
  readonly resource: string; // RFC 8707 resource indicator, and the audience of its tokens
  readonly profile: 'service' | 'ai_agent'; // OAuth Actor Profile `sub_profile`
  readonly calls: readonly string[]; // resources it may exchange a token for
}

const resourceOf = (name: string): string => `https://${name}.acme.example`;

const service = (name: string, profile: DemoService['profile'], calls: readonly string[]): DemoService => ({
  name,
  resource: resourceOf(name),
  profile,
  calls: calls.map(resourceOf),
});

/** The services of the demo, in the order a call passes through them. */
export const GATEWAY = service('gateway', 'service', ['planner']);
export const PLANNER = service('planner', 'ai_agent', ['payments']);
export const PAYMENTS = service('payments', 'service', ['books']);
export const BOOKS = service('books', 'service', []);
export const SERVICES: readonly DemoService[] = [GATEWAY, PLANNER, PAYMENTS, BOOKS];

/** What can be asked for at any of the services. */
export const PAY_INVOICE = 'invoice.pay';
export const WRITE_PAYEE = 'payee.write';
export const SCOPES: readonly string[] = [PAY_INVOICE, WRITE_PAYEE];

/** The person of the demo, and the app she uses: a public client with PKCE on a loopback redirect (RFC 8252 section 7.3). */
export const USER = 'dana';
export const APP = { clientId: 'invoice-app', redirectUri: 'http://127.0.0.1/signed-in' } as const;

import { type Arguments, type Terminal, textOption, UsageError } from './command.ts';

/** What a server answered that is not an answer: its own words, with the status. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The server a command asks: `--url`, else BEHALF_URL, else the default port on this machine. */
export function serverAddress(given: Arguments, terminal: Terminal): URL {
  const text = textOption(given, 'url') ?? (terminal.environment.BEHALF_URL || 'http://127.0.0.1:7400');
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`--url: expected http://host:port, got ${text}`);
  return url;
}

/** GETs a path and returns the response when it is 2xx. Throws ApiError with the server's reason, or an Error when nobody answers. */
export async function get(server: URL, path: string, accept = 'application/json'): Promise<Response> {
  const response = await fetch(new URL(path, server), { headers: { accept } }).catch((cause: unknown) => {
    throw new Error(
      `no server answers at ${server.origin}; start one with \`behalf serve\`, or name another with --url`,
      { cause },
    );
  });
  if (response.ok) return response;
  throw new ApiError(response.status, await reasonOf(response));
}

/** RFC 9457: the problem's detail, its title, or the status alone. */
async function reasonOf(response: Response): Promise<string> {
  const text = (await response.text()).slice(0, 65_536);
  const problem = response.headers.get('content-type')?.includes('json')
    ? (JSON.parse(text) as { detail?: string; title?: string })
    : {};
  return problem.detail ?? problem.title ?? `the server answered ${response.status}`;
}

import { type ChainFilters, chainsAddress, VERDICT_NAMES } from './route.ts';
import { VerdictIcon } from './verdict.tsx';

/** Filters are addresses: they can be kept, sent and gone back to. */
export function ChainFiltersBar({ filters }: { filters: ChainFilters }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const service = String(new FormData(event.currentTarget as HTMLFormElement).get('service') ?? '').trim();
    location.hash = chainsAddress({ ...filters, service });
  };
  return (
    <div class="filters">
      <nav aria-label="Filter by verdict" class="chips">
        {[null, ...VERDICT_NAMES].map((verdict) => (
          <a
            key={verdict ?? 'all'}
            class="chip"
            href={chainsAddress({ ...filters, verdict })}
            aria-current={filters.verdict === verdict ? 'true' : undefined}
          >
            {verdict === null ? null : <VerdictIcon verdict={verdict} />}
            {verdict ?? 'all'}
          </a>
        ))}
      </nav>
      <form onSubmit={submit} class="service-filter">
        <label for="service">Service</label>
        <input
          id="service"
          name="service"
          type="search"
          maxLength={255}
          defaultValue={filters.service}
          placeholder="exact name"
          autocomplete="off"
          spellcheck={false}
        />
        <button type="submit">Filter</button>
      </form>
    </div>
  );
}

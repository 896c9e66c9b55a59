/**
 * The investigator's page: lists chains, draws one with its grades, verdicts and gaps, and checks proofs in the browser.
 * It asks its own origin only, shows names from outside as characters one can see, and says *checked* only of what it
 * recomputed itself. Proven by test/web.
 */
import { render } from 'preact';
import './styles/colours.css';
import './styles/page.css';
import './styles/marks.css';
import './styles/chains.css';
import './styles/board.css';
import './styles/legend.css';
import './styles/details.css';
import './styles/print.css';
import { Page } from './page.tsx';

const place = document.getElementById('page');
if (place === null) throw new TypeError('page: index.html has no element of that id');
render(<Page />, place);

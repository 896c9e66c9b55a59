/**
 * The page that comes with evidence, or that a bundle is dropped into: it checks the bundle in this browser with @behalf/verify, and
 * only then tells who did what on whose behalf, what was checked and what that does not prove. It asks no network and trusts no
 * policy but the reader's. Proven by test/web/evidence-page.test.ts.
 */
import { evidenceOfPage } from '@behalf/verify';
import { render } from 'preact';
import '../styles/colours.css';
import '../styles/page.css';
import '../styles/marks.css';
import '../styles/chains.css';
import '../styles/legend.css';
import '../styles/details.css';
import './evidence.css';
import { EvidencePage } from './evidence-page.tsx';

const [place, block] = [document.getElementById('page'), document.getElementById('evidence')];
if (place === null || block === null) throw new TypeError('evidence page: index.html has no element of that id');
const carries = block.textContent !== '';
render(<EvidencePage carried={carries ? evidenceOfPage(block.outerHTML) : null} />, place);

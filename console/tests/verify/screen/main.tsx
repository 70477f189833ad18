/** The screen alone, without the frame and without a server. */
import { createRoot } from 'react-dom/client';
// First, because it says in which order the layers of styles come.
import '../../../src/styles/base.css';
import { Verify } from '../../../src/routes/verify';

const place = document.getElementById('console');
if (place !== null) createRoot(place).render(<Verify />);

/** The Graph tab: the server draws it anew as steps begin and end. */

import "./drawer.js";
import "./position.js";

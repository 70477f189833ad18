//! How much there is inside each other in a module, before the engine's parser is given it.
//!
//! At every `[` and `{` the parser tries a comprehension first and begins anew when there is none, so what stands inside
//! is read twice: each level of brackets doubles the work, and 20 of them take a minute. And each operator of a chain
//! such as `a + b + c` stands inside the next one: parser and evaluation call themselves as often, on a stack whose end
//! is the end of the program.

/// The most work that all modules of a bundle may make. The default bundle makes 4,000; a parser on a slow machine does
/// the most in some seconds.
pub const MAX_WORK: u64 = 1 << 20;

/// The most operators inside each other.
pub const MAX_CHAIN: u32 = 100;

/// What a module's text makes the engine do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nesting {
    /// Every bracket counts 2 to the power of its depth.
    pub work: u64,
    /// The most operators that can be inside each other: those of one expression, with what stands in its brackets.
    pub chain: u32,
}

impl Nesting {
    /// Of the text of a module. What is no Rego is measured as well.
    pub fn of(text: &str) -> Self {
        let mut reader = Reader::default();
        let mut bytes = text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\n' => reader.after_line_break = true,
                b' ' | b'\t' | b'\r' => {}
                b'#' => {
                    let _ = bytes.find(|byte| *byte == b'\n');
                    reader.after_line_break = true;
                }
                b'`' => {
                    let _ = bytes.find(|byte| *byte == b'`');
                    reader.operand();
                }
                b'"' => {
                    skip_string(&mut bytes);
                    reader.operand();
                }
                b'[' | b'{' | b'(' => reader.open(),
                b']' | b'}' | b')' => reader.close(),
                b',' | b';' => reader.begin_anew(),
                _ if is_word(byte) => {
                    let mut word = vec![byte];
                    while let Some(next) = bytes.next_if(|next| is_word(*next)) {
                        word.push(next);
                    }
                    if word == b"in" { reader.operator() } else { reader.operand() }
                }
                _ => reader.operator(),
            }
        }
        reader.nesting
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// To the end of a string whose quote was read. One that does not end is refused by the parser there.
fn skip_string(bytes: &mut impl Iterator<Item = u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}

/// The expression at hand, between two brackets.
#[derive(Default)]
struct Expression {
    /// Its operators so far, and those of the brackets in it: any of them may be around the others.
    chain: u32,
    /// The longest chain of those before it, between the same brackets.
    longest: u32,
}

/// Where the reading stands.
#[derive(Default)]
struct Reader {
    nesting: Nesting,
    here: Expression,
    around: Vec<Expression>,
    /// The sum of the chains in `around`.
    chains_around: u32,
    after_operand: bool,
    after_line_break: bool,
}

impl Reader {
    /// Two operands with nothing but a line break between them are of two statements.
    fn operand(&mut self) {
        if self.after_operand && self.after_line_break {
            self.begin_anew();
        }
        self.after_operand = true;
        self.after_line_break = false;
    }

    fn operator(&mut self) {
        self.lengthen(1);
        self.after_operand = false;
        self.after_line_break = false;
    }

    fn lengthen(&mut self, operators: u32) {
        self.here.chain = self.here.chain.saturating_add(operators);
        self.nesting.chain = self.nesting.chain.max(self.chains_around.saturating_add(self.here.chain));
    }

    fn begin_anew(&mut self) {
        self.here = Expression { chain: 0, longest: self.here.longest.max(self.here.chain) };
        self.after_operand = false;
    }

    /// A call and an index stand behind an operand, like an operator.
    fn open(&mut self) {
        let behind = self.after_operand && !self.after_line_break;
        self.operand();
        if behind {
            self.operator();
        }
        self.chains_around = self.chains_around.saturating_add(self.here.chain);
        self.around.push(std::mem::take(&mut self.here));
        self.after_operand = false;
        let depth = u32::try_from(self.around.len()).unwrap_or(u32::MAX);
        self.nesting.work = self.nesting.work.saturating_add(2_u64.saturating_pow(depth));
    }

    fn close(&mut self) {
        let inside = self.here.longest.max(self.here.chain);
        self.here = self.around.pop().unwrap_or_default();
        self.chains_around = self.chains_around.saturating_sub(self.here.chain);
        self.lengthen(inside);
        self.after_operand = true;
        self.after_line_break = false;
    }
}

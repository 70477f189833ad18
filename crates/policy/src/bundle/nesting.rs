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
    /// The most operators inside each other: those before a place in its own expression, and in each one around it.
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

/// Where the reading stands.
#[derive(Default)]
struct Reader {
    nesting: Nesting,
    /// Operators of the expression at hand, and of those around it.
    chains: Vec<u32>,
    chain: u32,
    /// The sum of `chains`.
    around: u32,
    after_operand: bool,
    after_line_break: bool,
}

impl Reader {
    /// Two operands with nothing but a line break between them are of two statements.
    fn operand(&mut self) {
        if self.after_operand && self.after_line_break {
            self.chain = 0;
        }
        self.after_operand = true;
        self.after_line_break = false;
    }

    fn operator(&mut self) {
        self.chain = self.chain.saturating_add(1);
        self.nesting.chain = self.nesting.chain.max(self.around.saturating_add(self.chain));
        self.after_operand = false;
        self.after_line_break = false;
    }

    fn begin_anew(&mut self) {
        self.chain = 0;
        self.after_operand = false;
    }

    /// A call and an index stand behind an operand, like an operator.
    fn open(&mut self) {
        let behind = self.after_operand && !self.after_line_break;
        self.operand();
        if behind {
            self.operator();
        }
        self.chains.push(self.chain);
        self.around = self.around.saturating_add(self.chain);
        self.begin_anew();
        let depth = u32::try_from(self.chains.len()).unwrap_or(u32::MAX);
        self.nesting.work = self.nesting.work.saturating_add(2_u64.saturating_pow(depth));
    }

    fn close(&mut self) {
        self.chain = self.chains.pop().unwrap_or(0);
        self.around = self.around.saturating_sub(self.chain);
        self.after_operand = true;
        self.after_line_break = false;
    }
}

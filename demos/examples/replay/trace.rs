//! Reads a trace from a CSV file, and says file, line and column of whatever is wrong with it.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str;

use csv::{ByteRecord, ReaderBuilder, Trim};

use crate::job::{CLASSES, Job, Jobs};

/// What is wrong with a trace, and where.
#[derive(Debug)]
pub(crate) struct TraceError {
    file: String,
    line: Option<usize>,
    column: Option<String>,
    what: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ": line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ": column {column}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for TraceError {}

/// A row whose job was run, in whole seconds of whatever clock the trace uses.
struct Row {
    class: usize,
    creation: u64,
    run: u64,
}

/// Reads all jobs of `file`.
pub(crate) fn read(file: &Path) -> Result<Jobs, TraceError> {
    let source = file.display().to_string();
    let fail = |line, column: Option<&str>, what| TraceError {
        file: source.clone(),
        line,
        column: column.map(str::to_owned),
        what,
    };
    let text = fs::read(file).map_err(|error| fail(None, None, error.to_string()))?;
    // Rows of the wrong length are let through here, so that the message can name the column.
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(&text[..]);

    let mut record = ByteRecord::new();
    let mut columns: Option<Columns> = None;
    let mut rows = Vec::new();
    let mut skipped = 0;
    loop {
        let more = reader.read_byte_record(&mut record);
        if !more.map_err(|error| fail(None, None, error.to_string()))? {
            break;
        }
        match &columns {
            None => {
                let header = Columns::find(&record);
                columns = Some(header.map_err(|(column, what)| {
                    fail(line_of(&text, &record), Some(&column), what)
                })?);
            }
            Some(columns) => match columns.row(&record) {
                Ok(Some(row)) => rows.push(row),
                Ok(None) => skipped += 1,
                Err((column, what)) => {
                    return Err(fail(line_of(&text, &record), Some(&column), what));
                }
            },
        }
    }
    if columns.is_none() {
        let what = "is empty: no header with qos, creation_time, scheduled_time, deletion_time";
        return Err(fail(Some(1), None, what.to_owned()));
    }
    if rows.is_empty() {
        let what = format!("has no job to replay; rows never scheduled: {skipped}");
        return Err(fail(None, None, what));
    }

    rows.sort_by_key(|row| row.creation);
    let first = rows[0].creation;
    let jobs = rows
        .iter()
        .map(|row| Job {
            class: row.class,
            arrival: (row.creation - first) as f64,
            run: row.run as f64,
        })
        .collect();
    Ok(Jobs {
        source,
        jobs,
        skipped,
    })
}

/// The line in which a row begins.
///
/// The CSV reader counts lines too, but leaves out blank ones.
fn line_of(text: &[u8], record: &ByteRecord) -> Option<usize> {
    let after_last = usize::try_from(record.position()?.byte()).ok()?;
    let is_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let blank = text
        .get(after_last..)?
        .iter()
        .take_while(|byte| is_break(byte));
    let before = &text[..after_last + blank.count()];
    // A line ends with LF, with CR LF, or with CR alone.
    let feeds = before.iter().filter(|&&byte| byte == b'\n').count();
    let pairs = before.windows(2).filter(|&pair| pair == b"\r\n").count();
    let returns = before.iter().filter(|&&byte| byte == b'\r').count();
    Some(1 + feeds + returns - pairs)
}

/// A column's name and what is wrong with it.
type Wrong = (String, String);

/// The header, and where the columns are that matter.
struct Columns {
    names: Vec<String>,
    qos: usize,
    creation: usize,
    scheduled: usize,
    deletion: usize,
}

impl Columns {
    fn find(header: &ByteRecord) -> Result<Columns, Wrong> {
        let mut names = Vec::with_capacity(header.len());
        for (index, name) in header.iter().enumerate() {
            match str::from_utf8(name) {
                Ok(name) => names.push(name.to_owned()),
                Err(_) => {
                    let what = "its name is not valid UTF-8".to_owned();
                    return Err((format!("{}", index + 1), what));
                }
            }
        }
        let place = |name: &str| {
            let mut places = (0..names.len()).filter(|&index| names[index] == name);
            match (places.next(), places.next()) {
                (Some(place), None) => Ok(place),
                (Some(_), Some(_)) => Err((name.to_owned(), "is there twice".to_owned())),
                (None, _) => Err((name.to_owned(), "is missing from the header".to_owned())),
            }
        };
        Ok(Columns {
            qos: place("qos")?,
            creation: place("creation_time")?,
            scheduled: place("scheduled_time")?,
            deletion: place("deletion_time")?,
            names,
        })
    }

    /// The job of a row, or `None` if it was never scheduled.
    fn row(&self, record: &ByteRecord) -> Result<Option<Row>, Wrong> {
        if record.len() > self.names.len() {
            let what = format!("is one more than the header names ({})", self.names.len());
            return Err((format!("{}", self.names.len() + 1), what));
        }
        // Also in columns that do not matter: such a file is not what it is taken for.
        for index in 0..self.names.len() {
            self.text(record, index)?;
        }
        let class = self.class(record)?;
        let creation = self.number(record, self.creation)?;
        if self.text(record, self.scheduled)?.is_empty() {
            return Ok(None);
        }
        let scheduled = self.number(record, self.scheduled)?;
        let deletion = self.number(record, self.deletion)?;
        let Some(run) = deletion.checked_sub(scheduled) else {
            let what = format!("{deletion} is before the row's scheduled_time, {scheduled}");
            return Err((self.names[self.deletion].clone(), what));
        };
        Ok(Some(Row {
            class,
            creation,
            run,
        }))
    }

    fn class(&self, record: &ByteRecord) -> Result<usize, Wrong> {
        let qos = self.text(record, self.qos)?;
        CLASSES.iter().position(|&name| name == qos).ok_or_else(|| {
            let what = format!("{qos:?} is not one of {}", CLASSES.join(", "));
            (self.names[self.qos].clone(), what)
        })
    }

    fn number(&self, record: &ByteRecord, index: usize) -> Result<u64, Wrong> {
        let text = self.text(record, index)?;
        text.parse().map_err(|_| {
            let what = format!("{text:?} is not a whole number of seconds");
            (self.names[index].clone(), what)
        })
    }

    fn text<'r>(&self, record: &'r ByteRecord, index: usize) -> Result<&'r str, Wrong> {
        let wrong = |what: &str| (self.names[index].clone(), what.to_owned());
        let bytes = record
            .get(index)
            .ok_or_else(|| wrong("is missing: the row is too short"))?;
        str::from_utf8(bytes).map_err(|_| wrong("is not valid UTF-8"))
    }
}

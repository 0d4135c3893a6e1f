//! A small disk that fills up: a tmpfs, where mounting one is permitted.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The name of the file that takes the room.
const BALLAST: &str = "ballast";

/// A mounted disk. Dropping it takes it away.
pub(crate) struct Disk {
    pub(crate) folder: PathBuf,
}

impl Disk {
    /// Mounts a disk of so many mebibytes.
    ///
    /// # Errors
    /// Why that is not permitted.
    pub(crate) fn mount(folder: &Path, mebibytes: u32) -> Result<Self, String> {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"])
            .arg(folder)
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(output) if output.status.success() => Ok(Self { folder: folder.to_owned() }),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Takes all the room that is left. Answers with how many bytes that was.
    pub(crate) fn fill(&self) -> u64 {
        let Ok(mut file) = File::options().create(true).append(true).open(self.folder.join(BALLAST)) else { return 0 };
        let mut taken = 0;
        // First in large pieces, then in small ones.
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![0_u8; size];
            while let Ok(written @ 1..) = file.write(&piece) {
                taken += written as u64;
            }
        }
        taken
    }

    /// Gives the room back.
    pub(crate) fn free(&self) {
        // It is not there if there was no room even for its name.
        let _ = std::fs::remove_file(self.folder.join(BALLAST));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file open there has been killed, or will be.
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).stderr(Stdio::null()).status();
    }
}

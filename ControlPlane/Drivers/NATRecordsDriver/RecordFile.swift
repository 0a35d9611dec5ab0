// SPDX-License-Identifier: Apache-2.0
// A file of JSON lines: appended, synced, and opened anew when somebody has moved it away (logrotate with `create` or `nocreate`).

import Foundation
import Subscribers

final class RecordFile: RecordSink {
    private let path: String
    private var descriptor: Int32 = -1
    private var opened = stat()

    init(path: String) { self.path = path }

    deinit { if self.descriptor >= 0 { close(self.descriptor) } }

    func deliver(_ records: [NATRecord], isStopped: () -> Bool) throws(DeliveryFailure) {
        try self.openIfMoved()
        var status = stat()
        guard fstat(self.descriptor, &status) == 0 else { throw .system(self.path) }
        var lines: [UInt8] = []
        lines.reserveCapacity(records.count * 400)
        for record in records { lines += record.jsonLine }
        var written = 0
        while written < lines.count {
            let count = lines[written...].withUnsafeBytes { write(self.descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let failure = DeliveryFailure.system(self.path)
                // A disk that is full keeps no half of a page: it comes again as a whole.
                _ = ftruncate(self.descriptor, status.st_size)
                throw failure
            }
            written += count
        }
        guard fdatasync(self.descriptor) == 0 else { throw .system(self.path) }
    }

    private func openIfMoved() throws(DeliveryFailure) {
        if self.descriptor >= 0 {
            var found = stat()
            if stat(self.path, &found) == 0, found.st_ino == self.opened.st_ino, found.st_dev == self.opened.st_dev {
                return
            }
            close(self.descriptor)
            self.descriptor = -1
        }
        let descriptor = open(self.path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o640)
        guard descriptor >= 0 else { throw .system(self.path) }
        guard fstat(descriptor, &self.opened) == 0, self.opened.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw DeliveryFailure("\(self.path): expected a regular file")
        }
        self.descriptor = descriptor
        try self.dropTornLine()
        self.syncFolder()
    }

    /// A kill in the middle of a write leaves half a line, which was never delivered and comes again.
    private func dropTornLine() throws(DeliveryFailure) {
        var size = self.opened.st_size
        while size > 0 {
            let length = min(size, 4_096)
            var tail = [UInt8](repeating: 0, count: length)
            guard pread(self.descriptor, &tail, length, size - length) == length else { throw .system(self.path) }
            if let end = tail.lastIndex(of: UInt8(ascii: "\n")) {
                size -= length - end - 1
                break
            }
            size -= length
        }
        if size < self.opened.st_size, ftruncate(self.descriptor, size) != 0 { throw .system(self.path) }
    }

    /// That the file is there is on disk too.
    private func syncFolder() {
        let folder = open((self.path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}

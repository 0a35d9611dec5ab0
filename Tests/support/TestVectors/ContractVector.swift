// SPDX-License-Identifier: Apache-2.0
// Reads the vectors of the agent contract (docs/contract.md section 13): sections of indented lines.

import Foundation

/// One contract vector.
public struct ContractVector: Sendable, CustomStringConvertible {
    public let name: String
    /// Message name, such as "Object" or "AgentFrame".
    public let message: String
    /// The message in protobuf text format; nil for refused inputs.
    public let text: String?
    public let frame: [UInt8]?
    public let bytes: [UInt8]?
    public let canon: [UInt8]?
    public let digest: [UInt8]?
    /// Code's name and, where there is one, the field path.
    public let error: (code: String, path: String)?

    public var description: String { self.name }

    init(name: String, text: String) {
        var sections: [String: [String]] = [:]
        var current = ""
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if line.first?.isWhitespace == true {
                sections[current, default: []].append(line.trimmingCharacters(in: .whitespaces))
            } else if let colon = line.firstIndex(of: ":") {
                current = String(line[..<colon])
                sections[current] = []
            }
        }
        func hexadecimal(_ section: String) -> [UInt8]? {
            guard let lines = sections[section] else { return nil }
            return lines.joined(separator: " ").split(separator: " ").compactMap { UInt8($0, radix: 16) }
        }
        self.name = name
        self.message = sections["message"]?.first ?? ""
        self.text = sections["text"]?.joined(separator: "\n")
        self.frame = hexadecimal("frame")
        self.bytes = hexadecimal("bytes")
        self.canon = hexadecimal("canon")
        self.digest = hexadecimal("digest")
        self.error = sections["error"].map { ($0.first ?? "", $0.count > 1 ? $0[1] : "") }
    }

    /// Every vector of version 1.
    public static let all: [ContractVector] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "vectors/contract/v1")
        let files = (try? FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "txt" }.sorted { $0.path < $1.path }.compactMap { file in
            guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
            return ContractVector(name: file.deletingPathExtension().lastPathComponent, text: text)
        }
    }()
}

"""Pictures in, concept scores and repaired pictures out. In the order the data travels:

- `sniffing`: what a file says it is, and whether it may be read, before anything is decoded.
- `reading`: a file, which may be anything, to a picture that scrutiny can take.
- `views`: the squares of a picture that the encoder looks at, so that no border is left out.
- `encoder`: the frozen open_clip image encoder.
- `heads`: one small network per concept on the encoder's features.
- `scrutineer`: encoder and heads, loaded once: pictures in, scores out.
- `regions`: CLIPSeg, which says where in a picture something is.
- `blur`: the repair of a region. Pure.
- `scrutinise`: score, decide, blur and score again, for one batch of pictures.
- `errors`: what can go wrong; every one of these stops the picture's way to release.
"""
